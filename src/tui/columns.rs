//! Columns of the list of containers besides state and name: what each is called and how wide.

use crate::config::file::nearest;

/// Columns of a small chart, at least and at most.
pub const CHART: (usize, usize) = (6, 16);

/// A column besides state and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Silenced, or quiet by its label.
    Quiet,
    /// Its service.
    Service,
    /// The health check's word.
    Health,
    /// CPU in percent of one core.
    Cpu,
    /// CPU over the last minutes.
    CpuChart,
    /// Memory in percent of the limit.
    MemoryPercent,
    /// Memory against the limit as a bar.
    MemoryBar,
    /// Memory over the last minutes.
    MemoryChart,
    /// Memory in use, and the limit.
    Memory,
    /// Bytes received and sent per second.
    Net,
    /// Log lines per second.
    Lines,
    /// Log lines at level error in the last minute.
    Errors,
    /// Restarts by the policy, deaths.
    Restarts,
    /// How long it has been up.
    Up,
}

impl Column {
    /// All of them, in the order in which they stand.
    pub const ALL: [Self; 14] = [
        Self::Quiet,
        Self::Service,
        Self::Health,
        Self::Cpu,
        Self::CpuChart,
        Self::MemoryPercent,
        Self::MemoryBar,
        Self::MemoryChart,
        Self::Memory,
        Self::Net,
        Self::Lines,
        Self::Errors,
        Self::Restarts,
        Self::Up,
    ];

    /// In the order in which they are given up where it is narrow, last first.
    pub const BY_WORTH: [Self; 14] = [
        Self::Quiet,
        Self::Cpu,
        Self::MemoryPercent,
        Self::Health,
        Self::CpuChart,
        Self::MemoryBar,
        Self::Errors,
        Self::Up,
        Self::Restarts,
        Self::Lines,
        Self::Memory,
        Self::MemoryChart,
        Self::Net,
        Self::Service,
    ];

    /// The word that a configuration writes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Service => "service",
            Self::Health => "health",
            Self::Cpu => "cpu",
            Self::CpuChart => "cpu-chart",
            Self::MemoryPercent => "memory",
            Self::MemoryBar => "memory-bar",
            Self::MemoryChart => "memory-chart",
            Self::Memory => "memory-used",
            Self::Net => "network",
            Self::Lines => "lines",
            Self::Errors => "errors",
            Self::Restarts => "restarts",
            Self::Up => "up",
        }
    }

    /// What it shows, for the dialog.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Quiet => "silenced, or quiet by its label",
            Self::Service => "its service",
            Self::Health => "what its health check says",
            Self::Cpu => "CPU, percent of one core",
            Self::CpuChart => "CPU over the last minutes",
            Self::MemoryPercent => "memory, percent of the limit",
            Self::MemoryBar => "memory against the limit as a bar",
            Self::MemoryChart => "memory over the last minutes",
            Self::Memory => "memory in use, and the limit",
            Self::Net => "bytes received and sent per second",
            Self::Lines => "log lines per second",
            Self::Errors => "errors logged in the last minute",
            Self::Restarts => "restarts by the policy / deaths",
            Self::Up => "how long it has been up",
        }
    }

    /// Columns that it takes, with the gap before it.
    pub fn width(self) -> usize {
        match self {
            Self::Health => 10,
            Self::Cpu | Self::MemoryPercent | Self::Lines | Self::Errors => 6,
            Self::Quiet | Self::CpuChart | Self::MemoryBar | Self::MemoryChart => CHART.0 + 1,
            Self::Memory => 12,
            Self::Net | Self::Service => 13,
            Self::Restarts => 9,
            Self::Up => 5,
        }
    }

    /// Whether it is a picture, which may grow where there is room.
    pub fn is_chart(self) -> bool {
        matches!(self, Self::CpuChart | Self::MemoryBar | Self::MemoryChart)
    }

    /// Its heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Quiet => " QUIET",
            Self::Health => " HEALTH   ",
            Self::Cpu => "   CPU",
            Self::CpuChart | Self::MemoryBar | Self::MemoryChart => "",
            Self::MemoryPercent => "   MEM",
            Self::Memory => "  USED/LIMIT",
            Self::Net => "    NET RX/TX",
            Self::Lines => " LOG/s",
            Self::Errors => " ERR/m",
            Self::Restarts => " RST/DIED",
            Self::Up => "   UP",
            Self::Service => " SERVICE",
        }
    }

    /// Reads the words of a configuration.
    pub fn parse(words: &[String]) -> Result<Vec<Self>, String> {
        let read = |word: &String| {
            Self::ALL.into_iter().find(|c| c.word() == word).ok_or_else(|| {
                let hint = nearest(word, Self::ALL.iter().map(|c| c.word()))
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                let all: Vec<&str> = Self::ALL.iter().map(|c| c.word()).collect();
                format!("ui.columns: `{word}` is no column{hint}; there are {}", all.join(", "))
            })
        };
        words.iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::text;

    #[test]
    fn every_column_has_a_place_and_a_worth() {
        for column in Column::ALL {
            assert!(Column::BY_WORTH.contains(&column), "{column:?}");
            assert!(text::width(column.heading()) <= column.width(), "{column:?}");
        }
    }

    #[test]
    fn a_word_that_is_no_column_is_named_with_the_nearest() {
        let words = ["cpu".to_owned(), "memroy".to_owned()];
        let why = Column::parse(&words).unwrap_err();
        assert!(why.contains("`memroy`") && why.contains("did you mean `memory`"), "{why}");
        assert_eq!(Column::parse(&words[..1]).unwrap(), [Column::Cpu]);
    }
}
