// SPDX-License-Identifier: Apache-2.0
//
// A scroll position over more rows than a browser lets an element be high: above kTallest the space
// is scaled, and wheel steps are taken over so that they stay as long as anywhere else.

const kTallest = 8_000_000;

export class RowScroller {
  topPx = 0; // unscaled
  private rowsPx = 0;

  constructor(
    private readonly box: HTMLElement,
    private readonly space: HTMLElement,
    private readonly onScroll: () => void,
  ) {
    box.addEventListener('scroll', this.follow);
    box.addEventListener('wheel', this.wheel, { passive: false });
  }

  dispose(): void {
    this.box.removeEventListener('scroll', this.follow);
    this.box.removeEventListener('wheel', this.wheel);
  }

  get viewPx(): number {
    return this.box.clientHeight;
  }
  private get scaled(): boolean {
    return this.rowsPx > kTallest;
  }
  private get mostPx(): number {
    return Math.max(0, this.rowsPx - this.viewPx);
  }
  private get mostScroll(): number {
    return Math.max(1, this.space.offsetHeight - this.viewPx);
  }

  resize(rowsPx: number): void {
    if (rowsPx === this.rowsPx) return;
    this.rowsPx = rowsPx;
    this.space.style.height = `${Math.min(rowsPx, kTallest)}px`;
    this.scrollTo(this.topPx);
  }

  scrollTo(px: number): void {
    this.topPx = Math.max(0, Math.min(px, this.mostPx));
    const wanted = this.scaled ? (this.topPx / Math.max(1, this.mostPx)) * this.mostScroll : this.topPx;
    if (Math.abs(this.box.scrollTop - wanted) > 0.5) this.box.scrollTop = wanted;
    this.onScroll();
  }

  private readonly follow = (): void => {
    const { scrollTop } = this.box;
    if (!this.scaled) {
      this.topPx = Math.min(scrollTop, this.mostPx);
    } else {
      // Our own scrollTo() comes back rounded; that is no move.
      const here = (this.topPx / this.mostPx) * this.mostScroll;
      if (Math.abs(here - scrollTop) > 1.5) this.topPx = (scrollTop / this.mostScroll) * this.mostPx;
    }
    this.onScroll();
  };

  private readonly wheel = (event: WheelEvent): void => {
    if (!this.scaled || event.ctrlKey || event.defaultPrevented || event.deltaY === 0) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 24 : event.deltaMode === 2 ? this.viewPx : 1;
    this.scrollTo(this.topPx + event.deltaY * unit);
  };
}
