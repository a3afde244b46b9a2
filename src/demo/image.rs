//! An image without a registry or a second build: the running executable and the libraries that
//! it has mapped, imported as a file system.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions,
};
use color_eyre::eyre::{Result, WrapErr as _};
use futures_util::TryStreamExt as _;
use sentinel_core::domain::hash::sha256_hex;
use tokio::task::spawn_blocking;

/// The executable's place in the image.
pub const EXECUTABLE: &str = "/sentinel-tui";
/// The image's name.
const REPOSITORY: &str = "sentinel-demo";

/// Makes the image unless it is there already; returns its reference.
pub async fn build(docker: &Docker) -> Result<String> {
    build_from(docker, Path::new("/proc/self/exe")).await
}

/// The same from another executable, which needs the same libraries as the running one.
pub async fn build_from(docker: &Docker, executable: &Path) -> Result<String> {
    let executable = executable.to_owned();
    let (archive, tag) = spawn_blocking(move || archive(&executable)).await??;
    let reference = format!("{REPOSITORY}:{tag}");
    if docker.inspect_image(&reference).await.is_ok() {
        return Ok(reference);
    }
    let options =
        CreateImageOptionsBuilder::default().from_src("-").repo(REPOSITORY).tag(&tag).build();
    docker
        .create_image(Some(options), Some(bollard::body_full(archive.into())), None)
        .try_collect::<Vec<_>>()
        .await
        .wrap_err("the engine did not import the demo image")?;
    Ok(reference)
}

/// Removes the demo's images: this build's and those that earlier ones left.
pub async fn remove(docker: &Docker) -> Result<()> {
    let filters = HashMap::from([("reference".to_owned(), vec![REPOSITORY.to_owned()])]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let images =
        docker.list_images(Some(options)).await.wrap_err("cannot list the demo's images")?;
    for tag in images.iter().flat_map(|i| &i.repo_tags) {
        let removed = docker.remove_image(tag, None::<RemoveImageOptions>, None).await;
        match removed {
            // 409: somebody runs a container of it, so it is theirs now.
            Ok(_) | Err(Error::DockerResponseServerError { status_code: 404 | 409, .. }) => {}
            Err(error) => return Err(error).wrap_err_with(|| format!("cannot remove {tag}")),
        }
    }
    Ok(())
}

/// A tar archive of everything, and a tag that names its content.
fn archive(executable: &Path) -> Result<(Vec<u8>, String)> {
    let executable = std::fs::read(executable)
        .wrap_err_with(|| format!("cannot read the executable {}", executable.display()))?;
    let digest = sha256_hex(&executable);
    let tag = digest.get(..12).unwrap_or(&digest).to_owned();
    let mut archive = tar::Builder::new(Vec::new());
    let mut folders = BTreeSet::new();
    append(&mut archive, &mut folders, Path::new(EXECUTABLE), &executable)?;
    for library in mapped_libraries()? {
        let content = std::fs::read(&library)
            .wrap_err_with(|| format!("cannot read the library {}", library.display()))?;
        append(&mut archive, &mut folders, &library, &content)?;
    }
    for folder in ["tmp", "etc", "var/run"] {
        directory(&mut archive, &mut folders, Path::new(folder))?;
    }
    Ok((archive.into_inner()?, tag))
}

/// The files that this process has mapped besides itself: shared libraries and the loader, under
/// the paths by which the loader asks for them.
fn mapped_libraries() -> Result<BTreeSet<PathBuf>> {
    let maps =
        std::fs::read_to_string("/proc/self/maps").wrap_err("cannot read /proc/self/maps")?;
    let mut libraries: BTreeSet<PathBuf> = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .filter(|path| path.contains(".so"))
        .map(PathBuf::from)
        .collect();
    // The kernel starts the loader by the path inside the executable, usually a link.
    for loader in ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"] {
        if Path::new(loader).exists() {
            libraries.insert(PathBuf::from(loader));
        }
    }
    // Name look-ups inside containers load these late, so that they are not mapped now.
    let folders: BTreeSet<PathBuf> =
        libraries.iter().filter_map(|l| l.parent().map(Path::to_owned)).collect();
    for folder in folders {
        for late in ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"] {
            let path = folder.join(late);
            if path.exists() {
                libraries.insert(path);
            }
        }
    }
    Ok(libraries)
}

fn append(
    archive: &mut tar::Builder<Vec<u8>>,
    folders: &mut BTreeSet<PathBuf>,
    path: &Path,
    content: &[u8],
) -> Result<()> {
    let relative = path.strip_prefix("/").unwrap_or(path);
    if let Some(parent) = relative.parent() {
        directory(archive, folders, parent)?;
    }
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(content.len())?);
    header.set_mode(0o755);
    archive.append_data(&mut header, relative, content)?;
    Ok(())
}

fn directory(
    archive: &mut tar::Builder<Vec<u8>>,
    folders: &mut BTreeSet<PathBuf>,
    path: &Path,
) -> Result<()> {
    if path.as_os_str().is_empty() || !folders.insert(path.to_owned()) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        directory(archive, folders, parent)?;
    }
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_size(0);
    header.set_mode(0o755);
    archive.append_data(&mut header, path, std::io::empty())?;
    Ok(())
}
