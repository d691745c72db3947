//! Resolves a version of Apache Kafka out of Maven's artifacts, once, into `target/kafka/VERSION`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::home::home;
use crate::version::{Tool, Version};

/// The plugin that copies the jars. Its version is given, so that Maven looks for no newer one.
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/// A version whose jars are on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Artifacts {
    version: Version,
    dir: PathBuf,
}

impl Artifacts {
    /// Resolves `version` below `home` unless that was done before.
    ///
    /// # Errors
    /// When Maven or Java are missing, or an artifact is.
    pub(crate) fn resolve(home: &Path, version: Version) -> Result<Self, Error> {
        let dir = home.join(version.name());
        let artifacts = Self { version, dir };
        // Threads of one process wait for each other; processes work side by side and the first
        // rename wins.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::read_to_string(artifacts.dir.join("pom.xml")) {
            Ok(known) if known == pom_text(version) => return Ok(artifacts),
            // An older state of this repository made it of other jars.
            Ok(_) => {
                fs::remove_dir_all(&artifacts.dir).map_err(Error::io(artifacts.dir.display()))?
            }
            Err(_) => {}
        }
        // It is made beside and renamed when complete: tests that start at once do not disturb each
        // other, and an interrupted one leaves nothing half done.
        let scratch = home.join(format!("{version}-{}", std::process::id()));
        let made = Self {
            version,
            dir: scratch.clone(),
        };
        made.make()?;
        if fs::rename(&scratch, &artifacts.dir).is_err() && !artifacts.dir.is_dir() {
            return Err(Error::new(format!(
                "{} cannot be renamed",
                scratch.display()
            )));
        }
        // It is still there if another process was faster.
        let _ = fs::remove_dir_all(&scratch);
        Ok(artifacts)
    }

    /// All its jars, as Java's `-cp` takes them.
    pub(crate) fn classpath(&self) -> String {
        format!("{}/lib/*", self.dir.display())
    }

    /// The start of a Java command line; options of the JVM and a class follow.
    pub(crate) fn java(&self) -> Vec<String> {
        vec!["java".to_owned(), "-cp".to_owned(), self.classpath()]
    }

    /// What a KRaft controller finds in its empty log: the cluster's feature levels.
    pub(crate) fn bootstrap_checkpoint(&self) -> PathBuf {
        self.dir.join("bootstrap.checkpoint")
    }

    fn make(&self) -> Result<(), Error> {
        let _ = fs::remove_dir_all(&self.dir);
        fs::create_dir_all(&self.dir).map_err(Error::io(self.dir.display()))?;
        let pom = self.dir.join("pom.xml");
        write(&pom, &pom_text(self.version))?;
        let mut maven = Command::new("mvn");
        // With -U Maven asks again for what it failed to find once.
        maven
            .args(["-q", "-B", "-U", "-f"])
            .arg(&pom)
            .arg(format!("{PLUGIN}:copy-dependencies"));
        maven.arg(format!(
            "-DoutputDirectory={}",
            self.dir.join("lib").display()
        ));
        run(maven.arg("-DincludeScope=runtime"))?;
        if self.version.has_zookeeper() {
            return Ok(());
        }
        self.format()
    }

    /// Runs Kafka's own formatting once and keeps the part that is the same for every cluster.
    fn format(&self) -> Result<(), Error> {
        let log = self.dir.join("formatted");
        let config = self.dir.join("format.properties");
        let text = format!(
            "process.roles=broker,controller\nnode.id=1\nlog.dirs={}\n\
             controller.quorum.voters=1@127.0.0.1:9093\ncontroller.listener.names=CONTROLLER\n\
             listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:9092\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n",
            log.display()
        );
        write(&config, &text)?;
        let java = self.java();
        let mut tool = Command::new(&java[0]);
        tool.args(&java[1..]).arg(self.version.class(Tool::Storage));
        run(tool
            .args(["format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c"])
            .arg(&config))?;
        let from = log.join("bootstrap.checkpoint");
        fs::copy(&from, self.bootstrap_checkpoint()).map_err(Error::io(from.display()))?;
        Ok(())
    }
}

/// The jars of a release, as Java's `-cp` takes them: for programs of our own in Java.
///
/// # Errors
/// When Maven or Java are missing, or an artifact is.
pub fn classpath(version: Version) -> Result<String, Error> {
    Ok(Artifacts::resolve(&home(), version)?.classpath())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::io(path.display()))
}

fn run(command: &mut Command) -> Result<(), Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let told = command
        .output()
        .map_err(Error::io(format!("{program} does not start")))?;
    if told.status.success() {
        return Ok(());
    }
    let words = [told.stdout, told.stderr].concat();
    Err(Error::new(format!(
        "{program} failed: {}",
        String::from_utf8_lossy(&words).trim()
    )))
}

fn pom_text(version: Version) -> String {
    let dependencies: String = version
        .artifacts()
        .iter()
        .map(|[group, artifact, version]| {
            format!(
                "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
                 <version>{version}</version></dependency>\n"
            )
        })
        .collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  \
         <modelVersion>4.0.0</modelVersion>\n  <groupId>downpour</groupId>\n  \
         <artifactId>kafka</artifactId>\n  <version>{version}</version>\n  <dependencies>\n\
         {dependencies}  </dependencies>\n</project>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pom_names_what_the_version_is_made_of() {
        assert_eq!(pom_text(Version::V2_8_2).matches("<dependency>").count(), 2);
        let newest = pom_text(Version::V4_3_1);
        assert_eq!(
            newest
                .matches("<version>4.3.1</version></dependency>")
                .count(),
            2
        );
        assert!(newest.contains("log4j-slf4j-impl"));
    }
}
