"""After the paper: what chapters 13 and later need, one idea a module.

A module here may use all of the course's mathematics and its experiments, which do not know it.
"""
