"""What a run means: bottlenecks, why short, why infeasible, differences between runs."""
