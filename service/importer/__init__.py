"""Remote registries → images: what an ImageStreamImport asks for, fetched, verified and completed.

Keeps: whatever a registry answers, an import ends in time, takes a bounded amount of memory, and says of each image
either what it is or why it could not be had, in the words of the reference. Nothing here is stored.
Elsewhere: what an import does to its image stream (`domain/imports.py`), the command (`commands/import_images.py`), the
resource (`resources/imagestreamimports.py`).
"""
