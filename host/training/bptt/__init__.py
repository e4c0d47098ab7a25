"""Backpropagation through time: a batch's time loop and its gradient, event-driven on the CPU and dense in torch."""
