"""JupyterLab as ``python -m jupyterlab`` starts it, but for kernels that begin in a moment."""

if __name__ == "__main__":  # a forked process imports this module, too
    import os
    from multiprocessing import forkserver

    from jupyter_client.provisioning import local_provisioner
    from jupyterlab.labapp import main

    from tests.kernel_processes import launch_kernel

    if hasattr(os, "fork"):
        forkserver.ensure_running()
        local_provisioner.launch_kernel = launch_kernel
    main()
