//! Memory limits on a real engine: beyond the swap limit, and beyond the host.

use docker_control::server::DockerControl;
use mcp_kit::testing::{Bench, Client, Outcome, bad, client, good};
use serde_json::{Value, json};

const TOOL: &str = "update_resources";
const MIB: u64 = 1 << 20;

async fn limited(memory: u64, swap: i64) -> Outcome<(Bench, Client)> {
    let bench = Bench::new("mem")?;
    let mut body = bench.body("exec sleep 600");
    body["HostConfig"] = json!({"Memory": memory, "MemorySwap": swap});
    bench.run("api", &body).await?;
    let client = client(DockerControl::new(bench.settings())).await?;
    Ok((bench, client))
}

fn asked(bench: &Bench, memory: &Value) -> Value {
    json!({"container_name": bench.name("api"), "resources": {"memory": memory}})
}

async fn limits(bench: &Bench) -> Outcome<(Value, Value)> {
    let host = &bench.inspect("api").await?["HostConfig"];
    Ok((host["Memory"].clone(), host["MemorySwap"].clone()))
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn memory_is_raised_beyond_the_swap_limit_that_was_set_at_create() {
    // (swap at create, swap after 48m -> 192m): what was free beside memory stays free.
    let cases = [
        (i64::try_from(48 * MIB).unwrap(), 192 * MIB),
        (i64::try_from(96 * MIB).unwrap(), 240 * MIB),
        (i64::try_from(64 * MIB).unwrap(), 208 * MIB),
    ];
    for (swap, expected) in cases {
        let (bench, client) = limited(48 * MIB, swap).await.unwrap();
        // The engine by itself refuses it, which is what makes the test say something.
        let path = format!("/containers/{}/update", bench.name("api"));
        let alone = bench.post(&path, Some(&json!({"Memory": 192 * MIB}))).await;
        assert!(alone.unwrap_err().contains("swap"), "swap {swap}");
        let done = good(&client, TOOL, asked(&bench, &json!("192m"))).await.unwrap();
        assert_eq!(done["changed"], true, "{done}");
        let now = limits(&bench).await.unwrap();
        assert_eq!(now, (json!(192 * MIB), json!(expected)), "swap {swap}");
    }
    let (bench, client) = limited(48 * MIB, -1).await.unwrap();
    good(&client, TOOL, asked(&bench, &json!(192 * MIB))).await.unwrap();
    assert_eq!(limits(&bench).await.unwrap(), (json!(192 * MIB), json!(-1)), "no limit stays none");
}

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_limit_above_the_host_is_refused_with_both_numbers() {
    let (bench, client) = limited(48 * MIB, i64::try_from(96 * MIB).unwrap()).await.unwrap();
    let info = bench.engine.get("/info", "say what the host has").await.unwrap();
    let host = info["MemTotal"].as_u64().unwrap();
    let too_much = host + MIB;
    let before = limits(&bench).await.unwrap();
    let error = bad(&client, TOOL, asked(&bench, &json!(too_much))).await.unwrap();
    let text = error["error"].as_str().unwrap();
    assert!(text.contains(&too_much.to_string()) && text.contains(&host.to_string()), "{text}");
    assert!(text.contains("more than the host has"), "{text}");
    assert_eq!(error["code"], "invalid_arguments");
    assert_eq!(limits(&bench).await.unwrap(), before, "nothing was changed");
    // All that the host has is not too much.
    good(&client, TOOL, asked(&bench, &json!(host))).await.unwrap();
}
