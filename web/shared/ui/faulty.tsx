// A fault of ours: what was kept stays, it is said, and the way out is one button.
import { useEffect, useState } from "preact/hooks";
import { t } from "../words.ts";
import { Button } from "./parts.tsx";

export function Faulty() {
  const [isFaulty, setFaulty] = useState(false);
  useEffect(() => {
    const onFault = (event: Event): void => {
      console.error(event instanceof ErrorEvent ? event.error : (event as PromiseRejectionEvent).reason);
      setFaulty(true);
    };
    addEventListener("error", onFault);
    addEventListener("unhandledrejection", onFault);
    return () => {
      removeEventListener("error", onFault);
      removeEventListener("unhandledrejection", onFault);
    };
  }, []);
  if (!isFaulty) return null;
  return (
    <div class="faulty" role="alert">
      <p>{t("fault.sentence")}</p>
      <Button onClick={() => location.reload()}>{t("fault.reload")}</Button>
    </div>
  );
}
