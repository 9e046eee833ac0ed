//! Where the frames of large pages come from and go to.

use super::*;

#[test]
fn a_commit_that_finds_no_frames_side_by_side_takes_single_ones() {
    let world = World::new();
    // Of every large page's worth of memory, one frame is taken.
    let mut held = Vec::new();
    while let Ok(run) = world
        .pages
        .allocate_contiguous::<owner::Wired>(PageCount::new(L), PageSize::Large.shift())
    {
        held.push(run);
    }
    let kept = held.pop().expect("there is a place");
    let kept = world.pages.take_apart(kept, |_| ());
    held.into_iter().for_each(|run| world.pages.free_run(run));
    let single: Vec<_> = std::iter::repeat_with(|| world.pages.allocate::<owner::Wired>())
        .map_while(Result::ok)
        .collect();
    let (odd, even): (Vec<_>, Vec<_>) = single
        .into_iter()
        .partition(|frame| frame.address().raw() / P % 2 == 1);
    even.into_iter().for_each(|frame| world.pages.free(frame));
    let vmo = committed(&world, L, L);
    number(&world, L, L);
    assert_eq!(size(&world, L), Some(PageSize::Base));
    check(&world, L, L, numbered);
    drop(vmo);
    odd.into_iter().for_each(|frame| world.pages.free(frame));
    world.pages.free_list(kept);
    finish(world);
}

#[test]
fn frames_of_a_large_page_can_be_had_as_a_run_again() {
    let world = World::new();
    let vmo = committed(&world, L, 2 * L);
    let base = page_of(&world.root, L);
    // Page by page, in no particular order.
    for page in 0..2 * L {
        let page = page * 7 % (2 * L);
        op(&world.root, RangeOp::Decommit, L + page, 1).expect("mapped");
    }
    world.root.unmap(base, 2 * L * P, Allowed).expect("whole");
    drop(vmo);
    let run = world
        .pages
        .allocate_contiguous::<owner::Vmo>(PageCount::new(2 * L), 22);
    world.pages.free_run(run.expect("they have come together"));
    finish(world);
}

#[test]
fn a_commit_without_memory_leaves_things_as_they_were() {
    let world = World::new();
    let vmo = world.resizable(L);
    world.root.map(request_at(L, &vmo, 0, L)).expect("room");
    // The frames side by side are one allocation, two tables the others.
    for successes in [0, 1, 2] {
        let guard = world.pages.fail_after(successes);
        world.refuses(Status::NO_MEMORY, || op(&world.root, RangeOp::Commit, L, L));
        drop(guard);
        assert_eq!(size(&world, L), None);
    }
    op(&world.root, RangeOp::Commit, L, L).expect("memory");
    assert_eq!(size(&world, L), Some(PageSize::Large));
    drop(vmo);
    finish(world);
}
