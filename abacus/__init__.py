"""Everything that runs on a person's machine: run, simulate, publish, audit, deploy.

May import chalicelib; never the reverse.
"""
