"""Which imports leave a process that must not be forked?"""
