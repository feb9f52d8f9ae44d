"""Which frameworks come with a bridge?

One module each; importing a module does not import its framework.
"""
