//! Placeholder.
/// s
pub async fn serve_stdio(settings: mcp_kit::Settings) -> Result<(), mcp_kit::ServeError> {
    drop(settings);
    Ok(())
}
