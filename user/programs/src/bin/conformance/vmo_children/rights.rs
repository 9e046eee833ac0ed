//! Rights, names and flags of children: `docs/spec/vmo.md` §7.5 and §7.6.

use zx::{AsHandleRef, HandleBased, Name, Rights, Status, Vmo, VmoChildOptions, VmoInfoFlags};

use super::faces::{PAGE, REFERENCE, SLICE, SNAPSHOT};
use crate::fixtures::{executable, resizable_vmo_of, vmo_of, without_rights};
use crate::harness::{Outcome, Test, check, check_eq, check_refused, tests};

pub const TESTS: &[Test] = tests![
    clones_can_write_and_not_execute,
    a_handle_that_only_reads_makes_writable_clones,
    views_keep_what_the_handle_could,
    no_write_takes_the_right_from_all_kinds,
    resizing_is_for_those_who_asked,
    properties_are_always_theirs,
    the_name_is_inherited,
    the_name_stays_behind_without_the_right,
    flags_tell_the_kind,
];

const RESIZABLE: VmoChildOptions = VmoChildOptions::RESIZABLE;
const NO_WRITE: VmoChildOptions = VmoChildOptions::NO_WRITE;

fn rights_of(vmo: &Vmo) -> Result<Rights, Status> {
    Ok(vmo.basic_info()?.rights)
}

fn child(vmo: &Vmo, options: VmoChildOptions) -> Result<Vmo, Status> {
    let size = if options.contains(REFERENCE) { 0 } else { PAGE };
    vmo.create_child(options, 0, size)
}

fn clones_can_write_and_not_execute() -> Outcome {
    let parent = executable(vmo_of(1)?)?;
    let rights = rights_of(&child(&parent, SNAPSHOT)?)?;
    check_eq(rights, rights_of(&parent)?.difference(Rights::EXECUTE))
}

fn a_handle_that_only_reads_makes_writable_clones() -> Outcome {
    let parent = without_rights(&vmo_of(1)?, Rights::WRITE)?;
    let clone = child(&parent, SNAPSHOT)?;
    check(
        rights_of(&clone)?.contains(Rights::WRITE),
        "a writable clone",
    )?;
    clone.write(&[1], 0)?;
    for view in [SLICE, REFERENCE] {
        let view = child(&parent, view)?;
        check(
            !rights_of(&view)?.contains(Rights::WRITE),
            "a read-only view",
        )?;
        check_refused(view.write(&[1], 0), Status::ACCESS_DENIED)?;
    }
    Ok(())
}

fn views_keep_what_the_handle_could() -> Outcome {
    let parent = executable(vmo_of(1)?)?;
    for view in [SLICE, REFERENCE] {
        check_eq(rights_of(&child(&parent, view)?)?, rights_of(&parent)?)?;
    }
    let few = Rights::DUPLICATE | Rights::READ | Rights::MAP;
    let weak = parent.duplicate_handle(few)?;
    for view in [SLICE, REFERENCE] {
        let rights = rights_of(&child(&weak, view)?)?;
        check_eq(rights, few | Rights::GET_PROPERTY | Rights::SET_PROPERTY)?;
    }
    Ok(())
}

fn no_write_takes_the_right_from_all_kinds() -> Outcome {
    let parent = executable(vmo_of(1)?)?;
    for kind in [SNAPSHOT, SLICE, REFERENCE] {
        let rights = rights_of(&child(&parent, kind | NO_WRITE)?)?;
        check_eq(rights, rights_of(&parent)?.difference(Rights::WRITE))?;
    }
    Ok(())
}

fn resizing_is_for_those_who_asked() -> Outcome {
    let fixed = vmo_of(1)?;
    let resizable = resizable_vmo_of(1)?;
    for parent in [&fixed, &resizable] {
        let plain = child(parent, SNAPSHOT)?;
        check(
            !rights_of(&plain)?.contains(Rights::RESIZE),
            "no right to resize",
        )?;
        check_refused(plain.set_size(PAGE), Status::UNAVAILABLE)?;
        let able = child(parent, SNAPSHOT | RESIZABLE)?;
        check(
            rights_of(&able)?.contains(Rights::RESIZE),
            "the right to resize",
        )?;
        able.set_size(2 * PAGE)?;
    }
    let reference = child(&resizable, REFERENCE)?;
    check(
        !rights_of(&reference)?.contains(Rights::RESIZE),
        "no right to resize",
    )
}

fn properties_are_always_theirs() -> Outcome {
    let few = Rights::DUPLICATE | Rights::READ;
    let parent = vmo_of(1)?.duplicate_handle(few)?;
    let properties = Rights::GET_PROPERTY | Rights::SET_PROPERTY;
    check_eq(
        rights_of(&child(&parent, SNAPSHOT)?)?,
        few | properties | Rights::WRITE,
    )?;
    check_eq(rights_of(&child(&parent, SLICE)?)?, few | properties)?;
    check_eq(
        rights_of(&child(&parent, SNAPSHOT | NO_WRITE)?)?,
        few | properties,
    )
}

fn the_name_is_inherited() -> Outcome {
    let parent = vmo_of(1)?;
    let name = Name::new_lossy("heirloom");
    parent.set_name(&name)?;
    for kind in [SNAPSHOT, SLICE, REFERENCE] {
        let made = child(&parent, kind)?;
        check_eq(made.get_name()?, name)?;
        made.set_name(&Name::new_lossy("own"))?;
        check_eq(parent.get_name()?, name)?;
    }
    Ok(())
}

fn the_name_stays_behind_without_the_right() -> Outcome {
    let parent = vmo_of(1)?;
    parent.set_name(&Name::new_lossy("secret"))?;
    let weak = without_rights(&parent, Rights::GET_PROPERTY)?;
    check_eq(child(&weak, SNAPSHOT)?.get_name()?, Name::default())
}

fn flags_tell_the_kind() -> Outcome {
    let parent = resizable_vmo_of(1)?;
    let clone = VmoInfoFlags::IS_COW_CLONE;
    let base = VmoInfoFlags::PAGED | VmoInfoFlags::VIA_HANDLE;
    for (options, flags) in [
        (SNAPSHOT, base | clone),
        (SNAPSHOT | RESIZABLE, base | clone | VmoInfoFlags::RESIZABLE),
        (SNAPSHOT | NO_WRITE, base | clone | VmoInfoFlags::IMMUTABLE),
        (REFERENCE, base | VmoInfoFlags::RESIZABLE),
    ] {
        check_eq(child(&parent, options)?.info()?.flags, flags)?;
    }
    check_eq(child(&vmo_of(1)?, SLICE)?.info()?.flags, base)
}
