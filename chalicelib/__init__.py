"""Everything that ships in the Lambda. Read in the order of an event's way:

settings → catalog/manifest → assign → events → judge → participants → contribution → fold → tallies → report
"""
