//! stub
/// s
pub struct Theme;
impl Theme {
    /// s
    pub fn load(_: &str, _: bool) -> Result<Self, std::io::Error> {
        Ok(Self)
    }
}
