// SPDX-License-Identifier: Apache-2.0
//
// A canvas that follows its element's size and the screen's density, drawn at most once a frame.
import { useEffect, useRef } from 'preact/hooks';
import { effect } from '@preact/signals';

export interface CanvasSize {
  width: number;
  height: number;
}

// Fits the canvas to its box; answers the context, scaled to CSS pixels and cleared.
export function prepareCanvas(canvas: HTMLCanvasElement, size: CanvasSize): CanvasRenderingContext2D {
  const density = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(size.width * density));
  const height = Math.max(1, Math.round(size.height * density));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const g = canvas.getContext('2d')!;
  g.setTransform(density, 0, 0, density, 0, 0);
  g.clearRect(0, 0, size.width, size.height);
  return g;
}

// Calls `draw` in a frame of its own whenever a signal that it reads changes or the box is resized.
// `draw` reads its signals outside of conditions that may hide them.
export function useCanvas(
  draw: (canvas: HTMLCanvasElement, size: CanvasSize) => void,
  reads: () => void,
) {
  const ref = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  latest.current = draw;
  const schedule = useRef<() => void>(() => undefined);
  useEffect(() => {
    const canvas = ref.current!;
    let frame = 0;
    schedule.current = () => {
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        latest.current(canvas, { width: canvas.clientWidth, height: canvas.clientHeight });
      });
    };
    const observer = new ResizeObserver(schedule.current);
    observer.observe(canvas);
    const stop = effect(() => {
      reads();
      schedule.current();
    });
    return () => {
      stop();
      observer.disconnect();
      cancelAnimationFrame(frame);
    };
  }, []);
  // A render of the component is a reason to draw as well.
  useEffect(() => schedule.current());
  return ref;
}
