//! What a piece of text means on the screen. Themes say how each meaning looks.

macro_rules! roles {
    ($($(#[$doc:meta])* $name:ident = $key:literal,)*) => {
        /// A meaning that a theme gives a style.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role {
            $($(#[$doc])* $name,)*
        }

        impl Role {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its key in a theme file.
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$name => $key,)*
                }
            }
        }
    };
}

roles! {
    /// Ordinary text.
    Text = "text",
    /// What is there but not important now.
    Dim = "dim",
    /// What the eye should find: names, the current thing.
    Strong = "strong",
    /// Headings of sections and columns.
    Heading = "heading",
    /// Title of a pane.
    Title = "title",
    /// Title of the pane with the focus.
    TitleFocused = "title_focused",
    /// Lines between panes.
    Rule = "rule",
    /// The line of the pane with the focus.
    RuleFocused = "rule_focused",
    /// The selected row of the pane with the focus.
    Selection = "selection",
    /// The selected row of another pane.
    SelectionIdle = "selection_idle",
    /// The name of the program.
    Product = "product",
    /// The badge of read-only mode.
    ReadOnly = "read_only",
    /// The badge of the mode in which a person approves.
    Approve = "approve",
    /// The badge of auto-heal.
    AutoHeal = "auto_heal",
    /// Good.
    Ok = "ok",
    /// Worth a look; medium severity.
    Warn = "warn",
    /// Wrong; high severity.
    Error = "error",
    /// Critical severity.
    Critical = "critical",
    /// Neutral news; low severity.
    Info = "info",
    /// A key in the footer, in help, in a dialog.
    Key = "key",
    /// What a key does.
    KeyText = "key_text",
    /// Text that a search found.
    Match = "match",
    /// A log line that is evidence of an anomaly.
    Anomaly = "anomaly",
    /// A mark between log lines: a gap, dropped lines.
    Mark = "mark",
    /// Inside of a dialog.
    Modal = "modal",
    /// Border of a dialog.
    ModalBorder = "modal_border",
    /// A button.
    Button = "button",
    /// The button with the focus.
    ButtonFocused = "button_focused",
    /// A message that something worked.
    ToastOk = "toast_ok",
    /// A message that something did not.
    ToastError = "toast_error",
    /// Log level error and above.
    LevelError = "level_error",
    /// Log level warn.
    LevelWarn = "level_warn",
    /// Log level info.
    LevelInfo = "level_info",
    /// Log levels debug and trace.
    LevelDebug = "level_debug",
    /// A number in a log line, with its unit; a duration, a time.
    LogNumber = "log_number",
    /// An id or an address in a log line.
    LogId = "log_id",
    /// A path or a URL in a log line.
    LogPath = "log_path",
    /// Quoted text in a log line.
    LogQuoted = "log_quoted",
    /// The key of `key=value` in a log line.
    LogKey = "log_key",
    /// The name of a container before its line, where several logs are shown together.
    LogName = "log_name",
    /// Small charts.
    Spark = "spark",
    /// The full part of a bar.
    Gauge = "gauge",
    /// The empty part of a bar.
    GaugeEmpty = "gauge_empty",
}
