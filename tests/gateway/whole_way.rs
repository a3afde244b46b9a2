//! An incident healed through a gateway, on a real engine: the instance that watches starts no
//! server of its own.

use serde_json::json;

use crate::Fallible;
use crate::program::{Place, TOKEN};
use crate::support::process::Headless;
use crate::support::{CRASHES, Corner};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_crash_is_healed_through_the_gateway() -> Fallible {
    let corner = Corner::new("gateway")?;
    let place = Place::new()?;
    let gateway = place.gateway(&[])?;
    let folder = tempfile::tempdir()?;
    let settings = folder.path().join("gateway.env");
    let lines = format!("MCP_GATEWAY_URL={}\nMCP_GATEWAY_AUTH_TOKEN='{TOKEN}'\n", gateway.address);
    std::fs::write(&settings, lines)?;
    let settings = settings.to_str().ok_or("no path")?;
    corner.run("api", CRASHES).await?;
    let mut app =
        Headless::start(&corner, folder.path(), &["--auto-heal", "--env-file", settings])?;
    corner.crash("api").await?;
    let applied = app.until("fix_applied", |_| true)?;
    assert_eq!((&applied["tool"], &applied["by"]), (&json!("start_container"), &json!("policy")));
    app.until("incident_resolved", |_| true)?;
    assert!(corner.running_since("api").await?.is_some());
    assert_eq!(app.stop()?, 0);
    assert_eq!(gateway.end()?, 0);
    // Both sides have it on record.
    let trail = place.run(&["audit", "show"])?;
    for word in ["gateway client sentinel-tui", "applying", "applied", "start_container"] {
        assert!(trail.out.contains(word), "{word}: {trail:?}");
    }
    Ok(())
}
