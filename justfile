# Lists what there is.
default:
    @just --list --unsorted

# Watches the containers of this machine.
run *ARGS:
    cargo run -- {{ARGS}}

# Starts a small stack, breaks it, heals it, removes it.
demo *ARGS:
    cargo run -- demo {{ARGS}}

# Breaks the running demo stack (`just demo --keep`); asks which fault if none is named.
break *FAULT:
    scripts/break-service.sh {{FAULT}}

# All tests, beside an engine and a Redis of their own.
test *ARGS:
    scripts/test.sh {{ARGS}}

# Formats the code.
fmt:
    cargo fmt --all

# What the compiler and clippy have to say.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Exactly what CI runs.
ci:
    .ci/run
