//! Random calls on families of VMOs, against a model that copies everything.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use model::vmo::{
    Answer, Child, Facts, Families, Generator, Handle, Mapping, Memory, Place, RangeOp, Step,
    Touch, Transfer, WINDOW_PAGES, WINDOWS, pattern,
};
use model::{Mismatch, PAGE};
use syscall::{VmOptions, VmarOp};
use zx::{
    AsHandleRef, HandleBased, Koid, Rights, Status, TransferDataOptions, Vmar, VmarFlags, Vmo,
    VmoInfo, VmoInfoFlags, VmoOp, ok, sys,
};

use crate::access::{copy_from, copy_to, load, store};
use crate::report::{Happened, Progress, unexpected};

/// After so many steps all bytes are compared.
const LOOK_EVERY: usize = 50;

const P: u64 = PAGE as u64;

/// All that a window can show.
const READ_WRITE: VmarFlags = VmarFlags::CAN_MAP_SPECIFIC
    .union(VmarFlags::CAN_MAP_READ)
    .union(VmarFlags::CAN_MAP_WRITE);

/// Takes the steps of `seed` on VMOs and windows that nobody has used.
///
/// # Errors
/// The first answer, fact or byte that is not that of the model.
pub fn round(seed: u64, count: usize, progress: &mut Progress) -> Result<(), Mismatch> {
    let mut generator = Generator::new(seed);
    let mut world = World::new().map_err(unexpected)?;
    for number in 0..count {
        let step = generator.step(&world.model);
        progress.note(number, Happened::ToFamilies(step));
        let answer = world.perform(&step);
        world.model.judge(&step, &answer)?;
        world.compare_facts()?;
        if number.is_multiple_of(LOOK_EVERY) {
            world.compare_bytes()?;
        }
    }
    world.compare_bytes()
}

/// VMOs, windows that show them, and what should be in both.
struct World {
    windows: Vec<(Vmar, usize)>,
    /// The first handle of each VMO, until it is closed.
    vmos: Vec<Option<Vmo>>,
    koids: Vec<Koid>,
    model: Families,
    /// Where bytes are copied to and from.
    scratch: Vmo,
}

impl World {
    fn new() -> Result<Self, Status> {
        let window = || rt::vmar_root_self().allocate(0, WINDOW_PAGES * PAGE, READ_WRITE);
        Ok(Self {
            windows: (0..WINDOWS).map(|_| window()).collect::<Result<_, _>>()?,
            vmos: Vec::new(),
            koids: Vec::new(),
            model: Families::new(),
            scratch: Vmo::create(P)?,
        })
    }

    /// Takes a step.
    fn perform(&mut self, step: &Step) -> Result<Answer, Status> {
        let done = |()| Answer::Done;
        match step {
            Step::Create { size, options } => {
                let vmo = Vmo::create_with_opts(*options, *size)?;
                self.add(vmo).map(done)
            }
            Step::CreateChild(request) => {
                let child = self.create_child(request)?;
                self.add(child).map(done)
            }
            Step::Close(vmo) => {
                self.vmos[*vmo] = None;
                Ok(Answer::Done)
            }
            Step::Read(bytes) => {
                let mut read = vec![0; bytes.length as usize];
                self.handle(bytes.vmo)?.read(&mut read, bytes.offset)?;
                Ok(Answer::Bytes(read))
            }
            Step::Write(bytes, seed) => {
                let written = pattern(*seed, bytes.length);
                let vmo = self.handle(bytes.vmo)?;
                vmo.write(&written, bytes.offset).map(done)
            }
            Step::Resize(handle, size) => self.handle(*handle)?.set_size(*size).map(done),
            Step::SetStream(handle, size) => self.handle(*handle)?.set_stream_size(*size).map(done),
            Step::Operate(op, bytes) => {
                let vmo = self.handle(bytes.vmo)?;
                vmo.op_range(operation(*op), bytes.offset, bytes.length)
                    .map(done)
            }
            Step::Transfer(request) => self.transfer(request).map(done),
            Step::Map(request) => self.map(request).map(done),
            Step::Unmap(place) => self.unmap(place).map(done),
            Step::Protect(place, access) => self.protect(place, *access).map(done),
            Step::OperateMapped(op, place) => self.operate_mapped(*op, place).map(done),
            Step::Touch(touch) => self.touch(touch).map(Answer::Byte),
        }
    }

    fn add(&mut self, vmo: Vmo) -> Result<(), Status> {
        self.koids.push(vmo.koid()?);
        self.vmos.push(Some(vmo));
        Ok(())
    }

    /// A handle with exactly the rights that a step wants.
    fn handle(&self, handle: Handle) -> Result<Vmo, Status> {
        let rights = self.model.rights(handle);
        let vmo = self.vmos[handle.vmo].as_ref();
        vmo.ok_or(Status::BAD_HANDLE)?.duplicate_handle(rights)
    }

    fn create_child(&self, request: &Child) -> Result<Vmo, Status> {
        let parent = self.handle(request.parent)?;
        parent.create_child(request.options, request.offset, request.size)
    }

    fn transfer(&self, request: &Transfer) -> Result<(), Status> {
        let (to, from) = (self.handle(request.to)?, self.handle(request.from)?);
        to.transfer_data(
            TransferDataOptions::empty(),
            request.to_offset,
            request.length,
            &from,
            request.from_offset,
        )
    }

    fn map(&self, request: &Mapping) -> Result<(), Status> {
        let vmo = self.handle(request.vmo)?;
        let (vmar, _) = &self.windows[request.place.window];
        let mut address = 0;
        // SAFETY:
        // 1. The address goes to a live local.
        // 2. What is overwritten is in the window.
        ok(unsafe {
            sys::zx_vmar_map(
                vmar.raw_handle(),
                request.options.bits(),
                request.place.first * PAGE,
                vmo.raw_handle(),
                request.offset,
                request.place.count * PAGE,
                &mut address,
            )
        })
    }

    fn unmap(&self, place: &Place) -> Result<(), Status> {
        let (vmar, _) = &self.windows[place.window];
        // SAFETY: nothing but the windows' own mappings is there.
        unsafe {
            vmar.unmap(
                self.address_of(place.window, place.first),
                place.count * PAGE,
            )
        }
    }

    fn protect(&self, place: &Place, access: VmOptions) -> Result<(), Status> {
        let vmar = self.windows[place.window].0.raw_handle();
        let address = self.address_of(place.window, place.first);
        // SAFETY: nothing but the windows' own mappings is there.
        ok(unsafe { sys::zx_vmar_protect(vmar, access.bits(), address, place.count * PAGE) })
    }

    fn operate_mapped(&self, op: VmarOp, place: &Place) -> Result<(), Status> {
        let (vmar, _) = &self.windows[place.window];
        let address = self.address_of(place.window, place.first);
        vmar.op_range(op, address, place.count * PAGE)
    }

    fn address_of(&self, window: usize, page: usize) -> usize {
        self.windows[window].1 + page * PAGE
    }

    /// Touches a byte: half of the time as programs do, where that is possible, otherwise by call.
    fn touch(&self, touch: &Touch) -> Result<u8, Status> {
        let expected = self.model.foresee(touch);
        let address = self.address_of(touch.window, touch.page) + touch.offset;
        let is_by_call = expected.is_err() || touch.cpu.is_multiple_of(2);
        let answer = match (touch.value, is_by_call) {
            (None, true) => copy_from(address, 1, &self.scratch).map(|bytes| bytes[0]),
            (None, false) => Ok(load(address)),
            (Some(value), true) => copy_to(address, value, &self.scratch).map(|()| value),
            (Some(value), false) => {
                store(address, value);
                Ok(value)
            }
        };
        // The kernel does not say why it could not copy from or to a page.
        match (answer, expected) {
            (Err(Status::NOT_FOUND), Err(reason)) => Err(reason),
            (answer, _) => answer,
        }
    }

    /// Compares what is told about every VMO.
    fn compare_facts(&self) -> Result<(), Mismatch> {
        let mut said = Vec::new();
        for vmo in self.model.open() {
            let Some(handle) = &self.vmos[vmo] else {
                return Err(Mismatch(format!("there is no VMO {vmo}")));
            };
            let info = handle.info().map_err(unexpected)?;
            let stream = handle.get_stream_size().map_err(unexpected)?;
            let is_immutable = info.flags.contains(VmoInfoFlags::IMMUTABLE);
            let rights = self.model.rights(all_rights(vmo));
            if is_immutable != self.model.is_immutable(vmo) || info.handle_rights != rights {
                return Err(Mismatch(format!(
                    "VMO {vmo}: expected {rights:?}, got {info:?}"
                )));
            }
            said.push((vmo, self.facts(&info, stream)));
        }
        self.model.compare(said.into_iter(), &self.model.sharers())
    }

    fn facts(&self, info: &VmoInfo, stream: u64) -> Facts {
        Facts {
            size: info.size_bytes,
            stream,
            children: info.num_children,
            parent: self.koids.iter().position(|koid| *koid == info.parent_koid),
            is_resizable: info.flags.contains(VmoInfoFlags::RESIZABLE),
            is_copy: info.flags.contains(VmoInfoFlags::IS_COW_CLONE),
            memory: Memory {
                committed: info.committed_bytes,
                private: info.committed_private_bytes,
                scaled: info.committed_scaled_bytes,
                fraction: info.committed_fractional_scaled_bytes,
            },
        }
    }

    /// Compares all bytes, of VMOs that there are handles to, and those that the windows show.
    fn compare_bytes(&self) -> Result<(), Mismatch> {
        for vmo in self.model.open() {
            let size = self.model.size(vmo);
            let handle = self.handle(all_rights(vmo)).map_err(unexpected)?;
            // Of a VMO without end, the pages that are there and some that are not.
            let near = (0..WINDOW_PAGES as u64).filter(|page| *page < size / P);
            for page in near.chain(self.model.present(vmo)) {
                let mut read = vec![0; PAGE];
                handle.read(&mut read, page * P).map_err(unexpected)?;
                if read != self.model.bytes(vmo, page * P..(page + 1) * P) {
                    return Err(Mismatch(format!("page {page} of VMO {vmo} differs")));
                }
            }
        }
        for (window, page) in
            (0..WINDOWS * WINDOW_PAGES).map(|n| (n / WINDOW_PAGES, n % WINDOW_PAGES))
        {
            let Some(bytes) = self.model.readable(window, page) else {
                continue;
            };
            let address = self.address_of(window, page);
            let shown = copy_from(address, PAGE, &self.scratch).map_err(unexpected)?;
            if shown != bytes {
                return Err(Mismatch(format!("page {page} of window {window} differs")));
            }
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for (window, _) in &self.windows {
            // SAFETY: nothing of the program is in the windows.
            let _ = unsafe { window.destroy() };
        }
    }
}

/// The first handle of a VMO.
const fn all_rights(vmo: usize) -> Handle {
    Handle {
        vmo,
        rights: Rights::ALL,
    }
}

const fn operation(op: RangeOp) -> VmoOp {
    match op {
        RangeOp::Commit => VmoOp::COMMIT,
        RangeOp::Decommit => VmoOp::DECOMMIT,
        RangeOp::Zero => VmoOp::ZERO,
        RangeOp::Prefetch => VmoOp::PREFETCH,
        RangeOp::DontNeed => VmoOp::DONT_NEED,
        RangeOp::AlwaysNeed => VmoOp::ALWAYS_NEED,
    }
}
