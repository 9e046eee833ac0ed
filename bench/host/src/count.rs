//! Counting the instructions of each operation under callgrind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bench_host::measure::OPERATION_NAMES;

/// A mean over many operations on one structure of one size.
#[derive(Clone, Debug)]
pub struct Mean {
    /// The operation.
    pub operation: &'static str,
    /// The structure.
    pub structure: String,
    /// How many regions there are.
    pub regions: usize,
    /// Instructions, or nanoseconds, of one operation.
    pub value: f64,
}

/// The instructions of all operations on all `structures`, at all `sizes`.
pub fn all(structures: &[&str], sizes: &[usize]) -> Result<Vec<Mean>, String> {
    let mut means = Vec::new();
    for &regions in sizes {
        for structure in structures {
            eprintln!("bench-host: counting {structure}, {regions} regions");
            means.extend(one(structure, regions)?);
        }
    }
    Ok(means)
}

/// The instructions of all operations on one structure.
///
/// Callgrind writes a file at the end of each `measure_…` function; the first has the preparation.
fn one(structure: &str, regions: usize) -> Result<Vec<Mean>, String> {
    let directory = Scratch::new()?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg("--dump-after=*measure_*")
        .arg(format!(
            "--callgrind-out-file={}",
            directory.0.join("counts").display()
        ))
        .arg(program)
        .args(["run", structure, &regions.to_string()])
        .output()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let operations: Vec<usize> = said
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    if !output.status.success() || operations.len() != OPERATION_NAMES.len() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("callgrind failed for {structure}: {errors}"));
    }
    let named = OPERATION_NAMES.into_iter().zip(operations).zip(2..);
    named
        .map(|((operation, count), part)| {
            let instructions = total(&directory.0.join(format!("counts.{part}")))?;
            Ok(Mean {
                operation,
                structure: structure.to_string(),
                regions,
                value: instructions as f64 / count as f64,
            })
        })
        .collect()
}

/// The number of instructions in a file of callgrind's.
fn total(file: &Path) -> Result<u64, String> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("summary: "))
        .and_then(|total| total.trim().parse().ok())
        .filter(|&total| total > 0)
        .ok_or(format!("{name} has no count"))
}

/// A directory that goes away with this.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("bench-host-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed from the temporary directory harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
