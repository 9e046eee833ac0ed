//! Wall-clock times of the operations that the program of this crate counts.
//!
//! `JACINTH_SIZES` has the numbers of regions, with commas between them.

use std::time::Duration;

use bench_host::measure::{
    OPERATION_NAMES, Trial, measure_gap, measure_insert, measure_lookup, measure_remove,
};
use bench_host::structures::{Ours, Ranges, RedBlack, StandardMap, Structure, WavlCrate};
use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group,
    criterion_main,
};

/// The numbers of regions, unless others are asked for.
const SIZES: &str = "10,1000,100000";

fn group<'a>(
    criterion: &'a mut Criterion,
    operation: &str,
    count: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(operation);
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .throughput(Throughput::Elements(count as u64));
    group
}

/// All operations on one structure of `regions` regions.
fn one<S: Structure>(criterion: &mut Criterion, regions: usize) {
    let [insert, lookup, gap, remove] = OPERATION_NAMES;
    let name = BenchmarkId::new(S::NAME, regions);
    let filled = Trial::<S>::new(regions).filled();
    let operations = filled.workloads.len() * regions;
    let searches = filled.searches.iter().map(Vec::len).sum();

    group(criterion, insert, operations).bench_function(name.clone(), |bencher| {
        bencher.iter_batched(
            || Trial::<S>::new(regions),
            |mut trial| {
                measure_insert(&mut trial.trees, std::mem::take(&mut trial.items));
                trial
            },
            BatchSize::PerIteration,
        );
    });
    group(criterion, lookup, operations).bench_function(name.clone(), |bencher| {
        bencher.iter(|| measure_lookup(&filled.trees, &filled.workloads));
    });
    group(criterion, gap, searches).bench_function(name.clone(), |bencher| {
        bencher.iter(|| measure_gap(&filled.trees, &filled.searches));
    });
    group(criterion, remove, operations).bench_function(name, |bencher| {
        bencher.iter_batched(
            || {
                (
                    Trial::<S>::new(regions).filled(),
                    Vec::with_capacity(operations),
                )
            },
            |(mut trial, mut removed)| {
                measure_remove(&mut trial.trees, &trial.workloads, &mut removed);
                (trial, removed)
            },
            BatchSize::PerIteration,
        );
    });
}

fn all(criterion: &mut Criterion) {
    let sizes = std::env::var("JACINTH_SIZES").unwrap_or(SIZES.to_string());
    for size in sizes.split(',') {
        let regions = size.parse().expect("JACINTH_SIZES has numbers only");
        one::<Ours>(criterion, regions);
        one::<StandardMap>(criterion, regions);
        one::<Ranges>(criterion, regions);
        one::<RedBlack>(criterion, regions);
        one::<WavlCrate>(criterion, regions);
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
