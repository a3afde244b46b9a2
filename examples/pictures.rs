//! Pictures of the running program: the demo stack in a real terminal, one SVG for each main screen.
//!
//! `scripts/pictures.sh` runs it on a private engine. `pictures FOLDER [THEME]`: the walk below, in
//! that theme.

#[path = "../tests/support/pty.rs"]
#[expect(dead_code, unreachable_pub, reason = "tests use the rest of it")]
mod pty;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portable_pty::CommandBuilder;
use pty::Session;

/// Any error ends the walk.
pub type Fallible<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ROWS: u16 = 38;
const COLUMNS: u16 = 124;
/// Pixels of a cell.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 10.0;

/// The sixteen colours of xterm, toned down a little.
const ANSI: [u32; 16] = [
    0x1c_1f24, 0xd7_5f5f, 0x87_af5f, 0xd7_af5f, 0x5f_87d7, 0xaf_87d7, 0x5f_afaf, 0xbc_bcbc,
    0x6c_6c6c, 0xff_6b6b, 0xa3_d977, 0xff_d75f, 0x87_afff, 0xd7_afff, 0x87_ffff, 0xff_ffff,
];

/// Default colours of a terminal: text, ground.
#[derive(Clone, Copy)]
struct Ground {
    text: u32,
    ground: u32,
}

impl Ground {
    fn of(theme: &str) -> Self {
        if theme == "light" {
            Self { text: 0x1f_2328, ground: 0xfb_fbfb }
        } else {
            Self { text: 0xd0_d0d0, ground: 0x11_1418 }
        }
    }
}

fn color(color: vt100::Color, otherwise: u32) -> u32 {
    match color {
        vt100::Color::Default => otherwise,
        vt100::Color::Rgb(r, g, b) => u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b),
        vt100::Color::Idx(n) => indexed(n),
    }
}

/// The table of 256 colours.
fn indexed(n: u8) -> u32 {
    if let Some(color) = ANSI.get(usize::from(n)) {
        return *color;
    }
    if n >= 232 {
        let grey = 8 + 10 * u32::from(n - 232);
        return grey << 16 | grey << 8 | grey;
    }
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * u32::from(step) };
    let cube = n - 16;
    level(cube / 36) << 16 | level(cube / 6 % 6) << 8 | level(cube % 6)
}

/// How a run of cells looks.
#[derive(Clone, Copy, PartialEq)]
struct Look {
    text: u32,
    ground: u32,
    /// Further attributes of its text.
    more: [Option<&'static str>; 4],
}

fn look(cell: &vt100::Cell, ground: Ground) -> Look {
    let mut text = color(cell.fgcolor(), ground.text);
    let mut below = color(cell.bgcolor(), ground.ground);
    if cell.inverse() {
        (text, below) = (below, text);
    }
    let more = [
        cell.bold().then_some("font-weight=\"bold\""),
        cell.dim().then_some("opacity=\"0.65\""),
        cell.italic().then_some("font-style=\"italic\""),
        cell.underline().then_some("text-decoration=\"underline\""),
    ];
    Look { text, ground: below, more }
}

/// The screen as a picture.
fn svg(screen: &vt100::Screen, ground: Ground) -> Fallible<String> {
    let (width, height) = (f64::from(COLUMNS) * CELL.0, f64::from(ROWS) * CELL.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0} {:.0}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#{:06x}\"/>\n",
        width + 2.0 * MARGIN,
        height + 2.0 * MARGIN,
        ground.ground
    );
    for row in 0..ROWS {
        let mut column = 0;
        while column < COLUMNS {
            let Some(first) = screen.cell(row, column) else { break };
            let (at, style) = (column, look(first, ground));
            let mut text = String::new();
            while let Some(cell) = screen.cell(row, column).filter(|_| column < COLUMNS) {
                if look(cell, ground) != style {
                    break;
                }
                if !cell.is_wide_continuation() {
                    text.push_str(if cell.has_contents() { cell.contents() } else { " " });
                }
                column += 1;
                // A wide one stands alone: no font is as wide as two of its narrow ones.
                if cell.is_wide() || screen.cell(row, column).is_some_and(vt100::Cell::is_wide) {
                    break;
                }
            }
            if screen.cell(row, column).is_some_and(vt100::Cell::is_wide_continuation) {
                column += 1;
            }
            run(&mut out, &text, (row, at, column - at), style, ground)?;
        }
    }
    out.push_str("</svg>\n");
    Ok(out)
}

fn run(
    out: &mut String,
    text: &str,
    (row, column, cells): (u16, u16, u16),
    style: Look,
    ground: Ground,
) -> Fallible {
    let (x, y) = (MARGIN + f64::from(column) * CELL.0, MARGIN + f64::from(row) * CELL.1);
    let width = f64::from(cells) * CELL.0;
    if style.ground != ground.ground {
        writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"#{:06x}\"/>",
            CELL.1, style.ground
        )?;
    }
    if text.trim().is_empty() {
        return Ok(());
    }
    let more: String = style.more.iter().flatten().flat_map(|m| [" ", m]).collect();
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\" fill=\"#{:06x}\"{more}>{text}</text>",
        y + 13.5,
        style.text
    )?;
    Ok(())
}

/// The program in its terminal, and where pictures go.
struct Walk {
    session: Session,
    folder: PathBuf,
    ground: Ground,
}

impl Walk {
    fn picture(&self, name: &str) -> Fallible {
        let svg = svg(self.session.parser.screen(), self.ground)?;
        std::fs::write(self.folder.join(format!("{name}.svg")), svg)?;
        Ok(())
    }

    /// Escape by itself: with a key right behind it, it would be alt and that key.
    fn leave(&mut self) -> Fallible {
        self.session.type_in("\u{1b}")?;
        self.session.rest(Duration::from_millis(500))
    }

    /// Types keys, waits until a text is there and all is drawn, takes a picture.
    fn page(&mut self, keys: &str, text: &str, name: &str) -> Fallible {
        self.session.type_in(keys)?;
        self.session.until_text(text)?;
        self.session.rest(Duration::from_millis(1500))?;
        self.picture(name)
    }
}

fn walk(folder: &Path, theme: &str) -> Fallible {
    std::fs::create_dir_all(folder)?;
    let home = tempfile::tempdir()?;
    let program = std::env::current_exe()?;
    let program = program.parent().and_then(Path::parent).ok_or("no target folder")?;
    let mut command = CommandBuilder::new(program.join("sentinel-tui"));
    command.env_clear();
    for name in ["DOCKER_HOST", "PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("HOME", home.path());
    command.env("SENTINEL_LOCK_DIR", home.path());
    command.env("USER", "ana");
    command.env("LANG", "C.UTF-8");
    command.args(["demo", "--theme", theme]);
    let session = Session::start(command, ROWS, COLUMNS)?;
    let mut walk = Walk { session, folder: folder.to_owned(), ground: Ground::of(theme) };
    walk.session.until_text("following")?;
    // Readings and lines for the charts.
    walk.session.rest(Duration::from_secs(25))?;
    walk.picture("overview")?;
    walk.page("?", "Everywhere", "help")?;
    walk.leave()?;
    // A fault: the API's process ends with an error.
    walk.session.type_in("F")?;
    walk.session.until_text("Break")?;
    walk.session.rest(Duration::from_millis(800))?;
    walk.session.type_in("\r")?;
    walk.page("", "1 to approve", "trouble")?;
    walk.page("2\r", "Proposed fix", "incident")?;
    walk.page("A", "Cancel", "approval")?;
    walk.session.type_in("y")?;
    walk.page("", "resolved", "resolved")?;
    walk.leave()?;
    walk.page("4z", "Logs", "logs")?;
    walk.page("z1i", "Resources", "container")?;
    for (key, text, name) in [
        ("6", "patterns", "patterns"),
        ("7", "events", "events"),
        ("8", "records", "audit"),
        ("9", "tools", "tools"),
        (":", "Commands", "palette"),
    ] {
        walk.page(key, text, name)?;
    }
    walk.session.type_in("\u{3}")?;
    walk.session.until_end()?;
    Ok(())
}

fn main() -> Fallible {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("pictures FOLDER [THEME]")?;
    walk(Path::new(&folder), arguments.next().as_deref().unwrap_or("dark"))
}
