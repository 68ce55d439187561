"""One lock per TFX stack, what they are made from, and the set-up that installs them.

install.py is `make setup`, locks.py is `make locks`. Both must start on any
Python from 3.8 on, before anything is installed: standard library only.
"""
