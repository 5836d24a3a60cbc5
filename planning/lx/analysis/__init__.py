"""What a solved model can be asked: what-ifs, scenarios, sensitivity, goals, infeasibility."""
