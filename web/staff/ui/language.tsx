// The language of the console, beside every other choice.
import { LANGUAGES, locale, t, useLocale } from "../../shared/words.ts";

export function Language() {
  return (
    <select class="language" aria-label={t("desk.language")} value={locale.value} onChange={(event) => {
      const chosen = LANGUAGES.find(([code]) => code === event.currentTarget.value);
      if (chosen) void useLocale(chosen[0], true);
    }}>
      {LANGUAGES.map(([code, own]) => <option key={code} value={code} lang={code}>{own}</option>)}
    </select>
  );
}
