"""How does an import leave a thread behind?"""

import threading

threading.Thread(target=threading.Event().wait, name="warmer", daemon=True).start()
