"""A task's command in a container, as a platform runs it."""

from tests.spec_runner.runner import call


def in_containers(podman, image, *folders):
    """Makes what runs commands in containers of their own, without a network.

    Args:
        podman: The program, and the options that it always gets.
        image: Name of the image.
        folders: What containers find under the same paths as here, to read and write.

    Returns:
        A function as runner.call.
    """
    mounts = [f"--volume={one}:{one}" for one in folders]

    def run(command, executor_input, folder, **environment):
        variables = [f"--env={name}={value}" for name, value in environment.items()]
        # The folders are root's here, and the image's user has no right to write there.
        options = ("run", "--rm", "--network=none", "--user=0", *mounts, *variables)
        call([*podman, *options, image, *command], executor_input, folder)

    return run
