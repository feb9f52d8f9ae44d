"""What if an import ends the process?"""

import os

os._exit(9)
