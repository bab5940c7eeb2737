"""The simulated Docker Engine: the API of its socket, over the containers of a mempool stack."""
