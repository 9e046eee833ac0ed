//! The steps of the model, done by `vm`: what the system calls do, and instructions.

use model::PAGE;
use model::vmo::{
    Answer, Bytes, Child, Handle, Mapping, Place, RangeOp, Step, Touch, Transfer, pattern,
};
use syscall::{Result, Rights, Status, VmoChildOptions};

use super::{P, Round};
use crate::addr::VirtAddr;
use crate::mmu::Access;
use crate::sim::SimMmu;
use crate::testing::*;
use crate::vmar::{MapRequest, OpChildren, RangeRequest};
use crate::vmo::{self, ChildRequest, TransferRequest, Vmo};

impl Round {
    /// Does what the system calls do.
    pub fn perform(&mut self, step: &Step) -> Result<Answer> {
        let done = |()| Answer::Done;
        match step {
            Step::Create { size, options } => {
                let created = Vmo::<SimMmu>::create(self.world.pages, new_koid(), *size, *options);
                created.map(|vmo| self.add(vmo)).map(done)
            }
            Step::CreateChild(request) => {
                let child = self.create_child(request);
                child.map(|vmo| self.add(vmo)).map(done)
            }
            Step::Close(vmo) => {
                self.vmos[*vmo] = None;
                Ok(Answer::Done)
            }
            Step::Read(bytes) => {
                let vmo = self.vmo(bytes.vmo, Rights::READ)?;
                let mut read = vec![0; bytes.length as usize];
                vmo.read(bytes.offset, &mut read)
                    .map(|()| Answer::Bytes(read))
            }
            Step::Write(bytes, seed) => {
                let vmo = self.vmo(bytes.vmo, Rights::WRITE)?;
                let written = pattern(*seed, bytes.length);
                vmo.write(bytes.offset, &written).map(done)
            }
            Step::Resize(handle, size) => self.resize(*handle, *size).map(done),
            Step::SetStream(handle, size) => {
                let vmo = self.vmo(*handle, Rights::WRITE)?;
                vmo.set_stream_size(*size, || ()).map(done)
            }
            Step::Operate(op, bytes) => self.operate(*op, bytes).map(done),
            Step::Transfer(request) => self.transfer(request).map(done),
            Step::Map(request) => self.map(request).map(done),
            Step::Unmap(place) => {
                let (address, length) = self.addresses(place);
                let window = &self.windows[place.window].1;
                window.unmap(address, length, OpChildren::Allowed).map(done)
            }
            Step::Protect(place, access) => {
                let (address, length) = self.addresses(place);
                let window = &self.windows[place.window].1;
                window
                    .protect(*access, address, length, OpChildren::Allowed)
                    .map(done)
            }
            Step::OperateMapped(op, place) => {
                let (address, length) = self.addresses(place);
                let request = RangeRequest {
                    op: (*op).try_into()?,
                    address,
                    length,
                    children: OpChildren::Allowed,
                };
                let window = &self.windows[place.window].1;
                window.op_range(request, || Ok(())).map(done)
            }
            Step::Touch(touch) => self.touch(touch).map(Answer::Byte),
        }
    }

    fn add(&mut self, vmo: Memory) {
        self.koids.push(vmo.koid());
        self.vmos.push(Some(vmo));
    }

    /// The VMO that a handle names, if the handle has the rights.
    fn vmo(&self, handle: Handle, rights: Rights) -> Result<&Memory> {
        if self.model.rights(handle).contains(rights) {
            Ok(self.open(handle.vmo))
        } else {
            Err(Status::ACCESS_DENIED)
        }
    }

    pub fn open(&self, vmo: usize) -> &Memory {
        self.vmos[vmo].as_ref().expect("a handle")
    }

    fn resize(&self, handle: Handle, size: u64) -> Result<()> {
        let vmo = self.vmo(handle, Rights::WRITE)?;
        if vmo.is_resizable() {
            self.vmo(handle, Rights::RESIZE)?;
        }
        vmo.set_size(size)
    }

    fn create_child(&self, request: &Child) -> Result<Memory> {
        // What the call checks before its handle.
        let rounded = request.size.checked_next_multiple_of(P);
        rounded.ok_or(Status::OUT_OF_RANGE)?;
        let contradiction = VmoChildOptions::NO_WRITE | VmoChildOptions::RESIZABLE;
        if request.options.contains(contradiction) {
            return Err(Status::INVALID_ARGS);
        }
        let parent = self.vmo(request.parent, Rights::DUPLICATE | Rights::READ)?;
        let rights = self.model.rights(request.parent);
        parent.create_child(ChildRequest {
            koid: new_koid(),
            options: request.options,
            offset: request.offset,
            size: request.size,
            may_resize: rights.contains(Rights::RESIZE),
        })
    }

    fn operate(&self, op: RangeOp, bytes: &Bytes) -> Result<()> {
        let rights = match op {
            RangeOp::Commit | RangeOp::Decommit | RangeOp::Zero => Rights::WRITE,
            RangeOp::Prefetch => Rights::READ,
            // Hints, which are not even looked at.
            RangeOp::DontNeed | RangeOp::AlwaysNeed => return Ok(()),
        };
        let vmo = self.vmo(bytes.vmo, rights)?;
        let Bytes { offset, length, .. } = *bytes;
        let pause = || Ok(());
        match op {
            RangeOp::Commit => vmo.commit_range(offset, length, pause),
            RangeOp::Decommit => vmo.decommit_range(offset, length, pause),
            RangeOp::Zero => vmo.zero_range(offset, length, pause),
            _ => vmo.prefetch_range(offset, length),
        }
    }

    fn transfer(&self, request: &Transfer) -> Result<()> {
        let offsets = [request.to_offset, request.from_offset, request.length];
        if offsets.iter().any(|bytes| !bytes.is_multiple_of(P)) {
            return Err(Status::INVALID_ARGS);
        }
        let to = self.vmo(request.to, Rights::WRITE)?;
        let from = self.vmo(request.from, Rights::READ | Rights::WRITE)?;
        if (to.koid(), request.to_offset) == (from.koid(), request.from_offset) {
            return Ok(());
        }
        let mut transfer = vmo::Transfer::new(&TransferRequest {
            source: from,
            source_offset: request.from_offset,
            destination: to,
            destination_offset: request.to_offset,
            length: request.length,
        })?;
        transfer.go_on(|| Ok(()))
    }

    fn map(&self, request: &Mapping) -> Result<()> {
        let vmo = self.vmo(request.vmo, Rights::MAP)?;
        let rights = self.model.rights(request.vmo);
        let mut permitted = Access::EXECUTE;
        permitted.set(Access::READ, rights.contains(Rights::READ));
        permitted.set(Access::WRITE, rights.contains(Rights::WRITE));
        let Place {
            window,
            first,
            count,
        } = request.place;
        let mapped = self.windows[window].1.map(MapRequest {
            options: request.options,
            offset: first * PAGE,
            vmo: vmo.clone(),
            vmo_offset: request.offset,
            length: count * PAGE,
            permitted,
        });
        mapped.map(drop)
    }

    fn addresses(&self, place: &Place) -> (VirtAddr, usize) {
        let window = &self.windows[place.window].1;
        (page_of(window, place.first), place.count * PAGE)
    }

    fn touch(&self, touch: &Touch) -> Result<u8> {
        let (space, window) = &self.windows[touch.window];
        let cpu = touch.cpu % CPUS;
        let address = page_of(window, touch.page).checked_add(touch.offset);
        let address = address.expect("a byte of the window");
        match touch.value {
            None => self.world.load_on(cpu, space, address),
            Some(value) => {
                self.world.store_on(cpu, space, address, value)?;
                Ok(value)
            }
        }
    }
}
