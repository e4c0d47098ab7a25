"""Networks of other frameworks: NIR graphs, recurrent LIF networks, and what becomes of them in integers."""
