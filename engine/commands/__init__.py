"""The sub-commands of `ptfan` that belong to the runtime, one file each.

Each has a function `register(app)`, as the plugins of the entry-point group `ptfan.commands` have. Nothing heavy is
imported before a command runs, so that `ptfan --help` is quick.
"""
