"""`mfcourse certify`: one flow, and whether its end is optimal."""

from mfcourse.commands.reading import whole_number

ALONE = whole_number(1, 100_000, "a particle takes 3 kilobytes, and these take some minutes")


def add(commands):
    """What may be typed."""
    parser = commands.add_parser(
        "certify",
        help="run one flow and print whether it is optimal, with proof",
        description="Run the particle flow on one instance of sparse spikes and certify the measure it ends at.",
        epilog="Example: mfcourse certify --seed 0 --m 6, then the same with --m 10",
    )
    parser.add_argument("--seed", type=whole_number(0), default=0, help="which instance (default 0)")
    parser.add_argument("--m", type=ALONE, default=100, help="number of particles (default 100)")
    parser.set_defaults(run=certify)


def certify(arguments):
    """Run one flow and print how far it is from the optimum: by its own certificate, and in truth."""
    from mfcourse import certificates, problems
    from mfcourse.convex import certified_optimum
    from mfcourse.experiments import spike_flow
    from mfcourse.measures import h1

    problem = problems.spikes(arguments.seed)
    run = spike_flow(problem, arguments.m, progress=True)
    certificate = certificates.certify(problem, h1(*run.state))
    best = problem.objective(certified_optimum(problem))
    print(f"spikes, seed {arguments.seed}, m = {arguments.m}: {run.steps[-1]} steps in {run.seconds:.2f} s")
    print(f"  J of the particles       {certificate.objective:.10f}")
    print(f"  lower bound D from them  {certificate.dual:.10f}")
    print(f"  relative gap (J - D) / J {certificate.gap:.2e}")
    print(f"  largest |eta|            {certificate.max_potential:.8f} (allowed: 1)")
    print(f"  J* by convex search      {best:.10f}")
    print(certificate.verdict)
    return 0
