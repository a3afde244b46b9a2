//! stub
use crate::runtime::handle::Handle;
use crate::tui::options::Options;
use tokio_util::sync::CancellationToken;
/// s
pub fn check_terminal() -> Result<(), std::io::Error> {
    Ok(())
}
/// s
pub async fn run(_: Handle, _: Options, stop: CancellationToken) -> Result<(), std::io::Error> {
    stop.cancelled().await;
    Ok(())
}
