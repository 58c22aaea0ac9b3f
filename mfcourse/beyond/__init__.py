"""After the paper: what chapters 13 and later need, one idea a module.

A module here may use all of the course's mathematics and its experiments, and no module outside of this folder uses it
but the exercises and pictures of its chapter.
"""
