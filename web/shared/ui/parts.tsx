// The parts that every screen is made of.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { back } from "../navigation.ts";
import { t } from "../words.ts";
import { Icon, type IconName } from "./icon.tsx";

type ButtonProps = {
  children: ComponentChildren;
  onClick: () => void;
  kind?: "act" | "plain" | "bad" | "quiet";
  icon?: IconName;
  busy?: boolean;
  disabled?: boolean;
  testId?: string;
};

export function Button({ children, onClick, kind = "plain", icon, busy = false, disabled = false, testId }: ButtonProps) {
  return (
    <button type="button" class={`button ${kind}`} disabled={disabled} aria-busy={busy} data-testid={testId} onClick={() => !busy && onClick()}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

/** A form that is sent by Enter as well as by its button. */
export function Form({ onSend, children }: { onSend: () => void; children: ComponentChildren }) {
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        onSend();
      }}
    >
      {children}
    </form>
  );
}

export function Send({ children, busy = false, disabled = false }: { children: ComponentChildren; busy?: boolean; disabled?: boolean }) {
  return (
    <button type="submit" class="button act" disabled={disabled || busy} aria-busy={busy}>
      <span>{children}</span>
    </button>
  );
}

type FieldProps = {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  error?: string;
  type?: "text" | "tel" | "password" | "time" | "date";
  inputMode?: "numeric" | "tel";
  autoComplete?: string;
  maxLength?: number;
};

export function Field({ label, value, onInput, hint, error, type = "text", inputMode, autoComplete, maxLength }: FieldProps) {
  const id = `field-${label.replace(/\W+/g, "-")}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        value={value}
        aria-invalid={!!error}
        aria-describedby={hint || error ? `${id}-about` : undefined}
        onInput={(event) => onInput(event.currentTarget.value)}
        type={type as "text"}
        inputMode={inputMode}
        autoComplete={autoComplete}
        maxLength={maxLength}
      />
      {(hint || error) && (
        <p id={`${id}-about`} class={error ? "problem" : "soft"}>
          {error || hint}
        </p>
      )}
    </div>
  );
}

export function Switch({ label, on, onChange, hint, disabled = false }: { label: string; on: boolean; onChange: (on: boolean) => void; hint?: string; disabled?: boolean }) {
  return (
    <label class="switch">
      <span>
        {label}
        {hint && <small>{hint}</small>}
      </span>
      <input type="checkbox" role="switch" checked={on} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
    </label>
  );
}

export function Banner({ children, kind = "calm", icon }: { children: ComponentChildren; kind?: "calm" | "bad" | "good"; icon?: IconName }) {
  return (
    <div class={`banner ${kind}`} role="status">
      {icon && <Icon name={icon} />}
      <div>{children}</div>
    </div>
  );
}

/** A sentence about what went wrong; announced at once. */
export function Problem({ children }: { children: ComponentChildren }) {
  return (
    <p class="problem" role="alert">
      {children}
    </p>
  );
}

export function Top({ title, onBack = back, children }: { title: string; onBack?: (() => void) | null; children?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // A new screen is read out from its heading.
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <header class="top">
      {onBack && (
        <button type="button" class="round quiet" onClick={onBack} aria-label={t("action.back")}>
          <Icon name="back" />
        </button>
      )}
      <h1 tabIndex={-1} ref={heading}>
        {title}
      </h1>
      {children}
    </header>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Grey shapes in place of what is not there yet. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} />
      ))}
    </div>
  );
}

/** A question over the screen; Escape and the first button mean no. */
export function Sheet({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  // Before it is drawn: an Escape between the drawing and a later effect would go to the screen below.
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    box.current?.focus();
    return () => before?.focus();
  }, []);
  return (
    <div class="veil" onClick={(event) => event.target === event.currentTarget && onClose()}>
      <div
        class="sheet stack"
        role="dialog"
        aria-modal="true"
        aria-label={title}
        tabIndex={-1}
        ref={box}
        onKeyDown={(event) => event.key === "Escape" && onClose()}
      >
        <h2>{title}</h2>
        {children}
      </div>
    </div>
  );
}

export function Row({ title, about, onClick, icon, testId }: { title: string; about?: string; onClick?: () => void; icon?: IconName; testId?: string }) {
  const inside = (
    <>
      {icon && <Icon name={icon} />}
      <span>
        {title}
        {about && <small>{about}</small>}
      </span>
      {onClick && <Icon name="next" />}
    </>
  );
  return onClick ? (
    <button type="button" class="row" onClick={onClick} data-testid={testId}>
      {inside}
    </button>
  ) : (
    <div class="row">{inside}</div>
  );
}
