"""Plausible wrong answers to the exercises, one module for each chapter: (check, answer, hint) in WRONG."""
