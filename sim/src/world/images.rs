//! Images: names for configurations. Their files are not simulated.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::refused::Refused;
use crate::world::World;

/// An image.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its digest.
    pub id: String,
    /// Its names.
    pub tags: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Its configuration.
    pub config: Map<String, Value>,
    /// Digests of its layers.
    pub layers: Vec<String>,
}

impl World {
    /// Puts an image there; answers with its digest.
    pub fn add_image(&mut self, tag: &str, config: Map<String, Value>) -> String {
        let layer = format!("sha256:{}", self.new_id());
        self.insert_image(tag, config, vec![layer])
    }

    fn insert_image(
        &mut self,
        tag: &str,
        config: Map<String, Value>,
        layers: Vec<String>,
    ) -> String {
        let id = format!("sha256:{}", self.new_id());
        let tag = with_tag(tag);
        for image in &mut self.images {
            image.tags.retain(|have| *have != tag);
        }
        let image = Image { id: id.clone(), tags: vec![tag], created: self.now, config, layers };
        self.images.push(image);
        id
    }

    /// All images.
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// An image by name or digest.
    pub fn image(&self, name: &str) -> Result<&Image, Refused> {
        let tagged = with_tag(name);
        let bare = name.strip_prefix("sha256:").unwrap_or(name);
        let fits = |image: &&Image| {
            let digest = image.id.strip_prefix("sha256:").unwrap_or_default();
            image.tags.contains(&tagged) || (bare.len() >= 4 && digest.starts_with(bare))
        };
        self.images
            .iter()
            .find(fits)
            .ok_or_else(|| Refused::missing(format!("No such image: {tagged}")))
    }

    /// Takes an image in; its files are not looked at.
    pub fn import_image(&mut self, repository: &str, tag: &str) -> String {
        let id = self.add_image(&format!("{repository}:{tag}"), Map::new());
        let attributes = [("name".to_owned(), id.clone())].into();
        self.note("image", "import", id.clone(), attributes);
        id
    }

    /// Makes an image of a container.
    pub fn commit(&mut self, who: &str, name: &str, config: &Value) -> Result<String, Refused> {
        let (key, container) = self.look(who)?;
        let spec = std::sync::Arc::clone(&container.spec);
        let mut layers = self.image(&spec.image).map(|i| i.layers.clone()).unwrap_or_default();
        layers.push(format!("sha256:{}", self.new_id()));
        let config = config.as_object().cloned().unwrap_or_default();
        let id = self.insert_image(name, config, layers);
        self.tell(key, "commit", &[("comment", String::new()), ("imageID", id.clone())]);
        Ok(id)
    }

    /// Removes a name of an image, and the image with its last one.
    pub fn remove_image(&mut self, name: &str, force: bool) -> Result<Value, Refused> {
        let image = self.image(name)?;
        let (id, tagged) = (image.id.clone(), with_tag(name));
        let used = self.containers().find(|(_, c)| c.spec.image == id).map(|(_, c)| c.id.clone());
        let by_name = image.tags.contains(&tagged);
        let last = image.tags.len() <= 1;
        if let Some(user) = used.filter(|_| last && !force) {
            let user = user.get(..12).unwrap_or_default().to_owned();
            return Err(Refused::conflict(format!(
                "conflict: unable to remove repository reference \"{name}\" (must force) - container {user} is using its referenced image"
            )));
        }
        let attributes = |name: &str| BTreeMap::from([("name".to_owned(), name.to_owned())]);
        let mut told = Vec::new();
        if by_name {
            told.push(json!({"Untagged": tagged}));
            self.note("image", "untag", id.clone(), attributes(&id));
        }
        if last || !by_name {
            told.push(json!({"Deleted": id}));
            self.note("image", "delete", id.clone(), attributes(&id));
            self.images.retain(|image| image.id != id);
        } else if let Some(image) = self.images.iter_mut().find(|image| image.id == id) {
            image.tags.retain(|tag| *tag != tagged);
        }
        Ok(Value::Array(told))
    }
}

/// `busybox` is `busybox:latest`.
fn with_tag(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}
