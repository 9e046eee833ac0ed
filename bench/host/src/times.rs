//! Reading what criterion measured.

use std::fs;
use std::path::Path;

use bench_host::measure::OPERATION_NAMES;
use serde_json::Value;

use crate::count::Mean;

/// The times of all operations on `structures` that are in criterion's directory.
///
/// `benches/times.rs` names the benchmarks `OPERATION/STRUCTURE/REGIONS` and has each do as many operations as
/// the throughput says.
pub fn read(directory: &str, structures: &[&str]) -> Result<Vec<Mean>, String> {
    let mut times = Vec::new();
    for operation in OPERATION_NAMES {
        for structure in structures {
            let place = Path::new(directory).join(operation).join(structure);
            let Ok(entries) = fs::read_dir(&place) else {
                continue;
            };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let Some(regions) = name.to_str().and_then(|name| name.parse().ok()) else {
                    continue;
                };
                times.push(Mean {
                    operation,
                    structure: structure.to_string(),
                    regions,
                    value: nanoseconds(&entry.path().join("new"))?,
                });
            }
        }
    }
    if times.is_empty() {
        return Err(format!("{directory} has no times"));
    }
    Ok(times)
}

/// The median time of one operation of the benchmark in `directory`.
fn nanoseconds(directory: &Path) -> Result<f64, String> {
    let median = &json(&directory.join("estimates.json"))?["median"]["point_estimate"];
    let operations = &json(&directory.join("benchmark.json"))?["throughput"]["Elements"];
    median
        .as_f64()
        .zip(operations.as_f64())
        .map(|(time, operations)| time / operations)
        .ok_or(format!("{} has no estimate", directory.display()))
}

fn json(file: &Path) -> Result<Value, String> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))
}
