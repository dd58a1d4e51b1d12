{{- /* Only functions of Go's text/template stand in these files, so that kubectl can render them in our tests. */ -}}

{{- define "mirror.image" -}}
{{ .Values.image.repository }}:{{ if .Values.image.tag }}{{ .Values.image.tag }}{{ else }}{{ .Chart.AppVersion }}{{ end }}
{{- end -}}

{{- define "mirror.resources" -}}
{ {{- range $kind, $amounts := .Values.resources }}{{ printf "%q" $kind }}: { {{- range $name, $amount := $amounts }}{{ printf "%q" $name }}: {{ printf "%q" (print $amount) }}, {{ end }}}, {{ end }}}
{{- end -}}

{{- define "mirror.nodeSelector" -}}
{ {{- range $label, $value := .Values.nodeSelector }}{{ printf "%q" $label }}: {{ printf "%q" $value }}, {{ end }}}
{{- end -}}

{{- define "mirror.pullSecrets" -}}
[{{ range .Values.image.pullSecrets }}{ name: {{ printf "%q" . }} }, {{ end }}]
{{- end -}}

{{- define "mirror.labels" -}}
{ app.kubernetes.io/name: mirror, app.kubernetes.io/instance: {{ printf "%q" .Release.Name }}, app.kubernetes.io/managed-by: {{ .Release.Service }} }
{{- end -}}
