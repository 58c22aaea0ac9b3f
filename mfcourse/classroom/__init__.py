"""The classroom: labs are handed out, handed in, run apart, paid and reported, in layers over nbgrader.

In the order of a class: `handout` makes what students get; `submissions` finds the files they hand in, and refuses what
no file may be; `intake` says which notebook of a student counts, and for which lab; `sandbox` runs it within limits;
`grades` pays; `gradebook` writes it down; `pooling` counts the results of teams together. What is known of a student
travels from a Submission to an Entry to a Grade. How a task is checked, part by part, is in `exercises.grading`.
"""
