"""Experiments: the paper's figures, sweeps over many instances, and a real data set, as functions that return data.

`paper` says what a figure runs, `sweeps` runs it on many instances, `records` says how far each run ended from the
optimum, `figures` draws, `digits` is an experiment of its own. A new experiment is a module here; what a chapter reads
by name, as in `experiments.spike_flow`, is listed below.
"""

from mfcourse.experiments.paper import (
    FIGURES,
    FIXED_SIZES,
    FLOW_SIZES,
    PATIENCE,
    PLANE,
    RELU,
    SEEDS,
    SIGMOID,
    SPIKES,
    grid_of,
    plain_run,
    plane_teacher,
    relu_run,
    relu_teacher,
    sgd_run,
    sigmoid_run,
    sigmoid_teacher,
    small_sphere,
    small_sphere_plane,
    spike_flow,
    spike_run,
    spike_steps,
    wide_sphere,
)
from mfcourse.experiments.records import clear, excess_of_grids, figure, fixed, optimum, record, shipped
