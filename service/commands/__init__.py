"""What clients want done: one module per intention, each a dataclass that decides, and one loop that carries it out.

May not enter: HTTP, and the choice of status codes. Start with `execute.py`: load → decide → append.
"""
