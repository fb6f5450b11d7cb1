"""The commands of `tag-history`: what a person types, turned into settings and handed to the rooms below.

One module per command, each with an `add_command`; the options they share are in `options.py`. Errors that a user can
cause leave here as one line and an exit code (`main.py`), never as a traceback. How a role is built is in `app.py`.
"""
