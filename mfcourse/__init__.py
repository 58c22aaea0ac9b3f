"""mfcourse: over-parameterised models as particle gradient flows over measures.

A notebook course on Chizat & Bach, "On the Global Convergence of Gradient Descent for Over-parameterized Models using
Optimal Transport" (NeurIPS 2018), and the small library behind it. Import modules by name, in the order of the course:
measures, features, losses, risks, problems, certificates, runs, flows, convex, transport, plots. Behind these lie the
folders experiments, beyond, exercises, classroom, site and commands; README.md has the map, and says what goes where.
"""

__version__ = "0.1.0"
