"""Fine-tuning on a person's own files."""


def __getattr__(name: str):
    # Lazy, because the run's folder is made before torch is loaded.
    if name in ("finetune", "main"):
        from . import command

        return getattr(command, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
