// SPDX-License-Identifier: Apache-2.0
//
// A button with a panel under it: closes on Escape and on a press elsewhere, and the panel stays inside
// of the window (.menu and .menu-panel in app/base.css). The element with `box` holds both.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const kMargin = 8;

export function useMenu() {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const onDown = (event: MouseEvent) => {
      if (!box.current!.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('mousedown', onDown);
    return () => document.removeEventListener('mousedown', onDown);
  }, [open]);
  useLayoutEffect(() => {
    if (!open) return undefined;
    const panel = box.current!.querySelector<HTMLElement>('.menu-panel')!;
    const place = () => {
      panel.style.translate = '0';
      const { left, right, top } = panel.getBoundingClientRect();
      const width = document.documentElement.clientWidth;
      const overRight = Math.max(0, right - (width - kMargin));
      panel.style.translate = `${Math.max(kMargin - left, -overRight)}px`;
      panel.style.maxHeight = `${Math.max(120, window.innerHeight - top - kMargin)}px`;
    };
    place();
    window.addEventListener('resize', place);
    return () => window.removeEventListener('resize', place);
  }, [open]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !open) return;
    event.preventDefault();
    setOpen(false);
    box.current!.querySelector('button')!.focus();
  };
  return { open, setOpen, box, onKeyDown };
}
