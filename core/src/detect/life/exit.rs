//! What an exit status means.

/// Names of the signals of Linux, from 1 (signal(7), x86 and ARM).
const SIGNALS: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// The signal that an exit status says the process died of: 128 + n for signal n, as shells and
/// the engine report it.
pub fn signal_of(code: i64) -> Option<&'static str> {
    let number = usize::try_from(code.checked_sub(129)?).ok()?;
    SIGNALS.get(number).copied()
}

/// An exit status in words a person reads: `exit status 137 (SIGKILL)`.
pub fn exit_words(code: i64) -> String {
    let meaning = match code {
        0 => "success",
        125 => "the engine could not run it",
        126 => "command cannot be executed",
        127 => "command not found",
        128 => "invalid exit status, or the engine could not start it",
        255 => "failed without a status of its own, or out of range",
        _ => match signal_of(code).or_else(|| windows(code)) {
            Some(meaning) => meaning,
            None => return format!("exit status {code}"),
        },
    };
    format!("exit status {code} ({meaning})")
}

/// Statuses of Windows (NTSTATUS, ntstatus.h), which engines write signed or unsigned.
fn windows(code: i64) -> Option<&'static str> {
    let code = u32::try_from(code).or_else(|_| i32::try_from(code).map(i32::cast_unsigned)).ok()?;
    Some(match code {
        0xC000_0005 => "access violation",
        0xC000_0017 => "out of memory",
        0xC000_001D => "illegal instruction",
        0xC000_0094 => "division by zero",
        0xC000_00FD => "stack overflow",
        0xC000_0135 => "a library was not found",
        0xC000_0139 => "an entry point was not found",
        0xC000_013A => "interrupted",
        0xC000_0142 => "a library could not be initialised",
        0xC000_0374 => "heap corruption",
        0xC000_0409 => "stack buffer overrun, or the program aborted",
        0xE043_4352 => "an unhandled .NET exception",
        0x8000_0003 => "breakpoint",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_put_into_words() {
        for (code, words) in [
            (0, "exit status 0 (success)"),
            (1, "exit status 1"),
            (124, "exit status 124"),
            (125, "exit status 125 (the engine could not run it)"),
            (127, "exit status 127 (command not found)"),
            (129, "exit status 129 (SIGHUP)"),
            (134, "exit status 134 (SIGABRT)"),
            (137, "exit status 137 (SIGKILL)"),
            (139, "exit status 139 (SIGSEGV)"),
            (143, "exit status 143 (SIGTERM)"),
            (159, "exit status 159 (SIGSYS)"),
            (160, "exit status 160"),
            (-1, "exit status -1"),
            (-1_073_741_510, "exit status -1073741510 (interrupted)"),
            (3_221_225_786, "exit status 3221225786 (interrupted)"),
            (i64::MIN, "exit status -9223372036854775808"),
        ] {
            assert_eq!(exit_words(code), words);
        }
        assert!(exit_words(255).starts_with("exit status 255 ("));
        assert!((129..=159).all(|code| signal_of(code).is_some()));
    }
}
