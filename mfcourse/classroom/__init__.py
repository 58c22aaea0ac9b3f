"""The classroom: labs are handed out, handed in, run apart, paid and reported, in layers over nbgrader.

In the order of a class: `handout` makes what students get, `submissions` finds what they hand in, `sandbox` runs a
notebook within limits, `intake` says whose notebook is from which lab, `grades` pays, `gradebook` writes it down, and
`pooling` counts the results of teams together. How a task is checked, and paid part by part, is in
`exercises.grading`. A new rule of what is accepted goes to `intake`, one of what a grade is to `grades`.
"""
