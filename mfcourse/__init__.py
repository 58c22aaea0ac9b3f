"""mfcourse: over-parameterised models as particle gradient flows over measures.

A notebook course on Chizat & Bach, "On the Global Convergence of Gradient Descent for Over-parameterized Models using
Optimal Transport" (NeurIPS 2018), and the small library behind it. Import modules by name, in the order of the course:
measures, features, losses, risks, problems, certificates, runs, flows, convex, transport, experiments, plots.
"""

__version__ = "0.1.0"
