// Says what changed to those who do not see it. While the microphone is open nothing is said: it would be recorded.
import { signal } from "@preact/signals";

const said = signal("");

export function announce(text: string): void {
  said.value = text;
}

export function Announcer() {
  return (
    <div class="unseen" aria-live="polite">
      {said.value}
    </div>
  );
}
